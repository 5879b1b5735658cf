"""Azure Storage on one machine: Microsoft's Azurite from npm, with blobs, queues and tables."""
