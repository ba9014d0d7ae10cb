"""What an operation was asked: see app/fhir/operations/asked.py."""

from app.fhir.operations.asked import asked, day_of, needed, sent

__all__ = ["asked", "day_of", "needed", "sent"]
