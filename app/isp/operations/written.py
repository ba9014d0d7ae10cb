"""Reading and writing by operations: see app/fhir/operations/written.py."""

from app.fhir.operations.written import answer, author, created, stored, updated, write

__all__ = ["answer", "author", "created", "stored", "updated", "write"]
