"""How written answers are said: numbers, dates, amounts and codes as words, before a voice speaks them."""
