"""After a call: it is read, what is personal is hidden, what happened is told, what is old is deleted."""
