"""Instances with exact entries, and their files."""
