"""isp-fhir: one shared Individualized Service Plan, served as HL7 FHIR R4."""
