"""Silero's voice activity detector on onnxruntime."""
