"""Patches of a resource: JSON Patch, merge patch and FHIRPath Patch. Pure; nothing is stored."""
