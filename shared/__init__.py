"""What we do, apart from how Azure calls us."""
