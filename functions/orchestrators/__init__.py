"""The life of a call as durable orchestrations: they decide, the activities stream."""
