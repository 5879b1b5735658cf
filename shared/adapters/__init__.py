"""The outside world, a shelf per vendor; files are named after the port they fill."""
