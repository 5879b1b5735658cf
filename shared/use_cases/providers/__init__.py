"""What stands between a step and those who hear, think and speak for it: failover, racing, caches."""
