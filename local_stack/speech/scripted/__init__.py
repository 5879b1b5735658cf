"""The same service without models: exact latencies, a scripted dialogue, faults on demand."""
