"""The XML form of resources: equal in meaning to the JSON, which is what is stored."""

from app.fhir.xml.read import read
from app.fhir.xml.write import write

__all__ = ["read", "write"]
