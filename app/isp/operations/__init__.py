"""The operations on service plans."""
