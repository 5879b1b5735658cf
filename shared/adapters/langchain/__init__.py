"""LangChain: chat models of OpenAI and Azure OpenAI behind one interface."""
