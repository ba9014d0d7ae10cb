"""The plan as a document: what stands in which section, as FHIR, as a page and on paper."""
