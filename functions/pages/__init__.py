"""The pages that a person opens in a browser; their parts are built from `clients/`."""
