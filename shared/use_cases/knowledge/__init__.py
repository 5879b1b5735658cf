"""Knowledge: documents come in and go, passages are found."""
