"""What runs beside the app, not in it: the cloud's resources and the database's schema."""
