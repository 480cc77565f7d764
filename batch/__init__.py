"""Whole catalogues: every model on every GPU, asked in one go and kept in one table."""
