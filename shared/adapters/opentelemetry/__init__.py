"""OpenTelemetry: the figures of turns as histograms and counters, sent to a collector or to Azure Monitor."""
