"""The systems and codes by which the parts of an Individualized Service Plan are told apart.

Standard codes where they exist; the local system holds what no standard names.
"""

ISP = "https://isp-fhir.example/CodeSystem/isp"
EXTENSION = "https://isp-fhir.example/StructureDefinition"
CHECK = "https://isp-fhir.example/CodeSystem/isp-check"
DEFINITION = "https://isp-fhir.example/OperationDefinition"
HL7 = "http://terminology.hl7.org/CodeSystem"

PLAN, ASSESS_PLAN, CARE_PLAN = "individualized-service-plan", "assess-plan", "734163000"
CRISIS = frozenset({"crisis-plan", "backup-plan"})
DISCHARGE = "discharge-plan"

STRENGTH, BARRIER = "strength", "811791000000103"
PREFERENCES = frozenset({"95541-9", "75773-2"})
SOCIAL = "social-history"
"""Category of what a person says and does; US Core asks every Observation for one."""
ASSESSED_NEED, HEALTH_CONCERN = "assessed-need", "health-concern"
NO_DIETARY_NEED, NO_NATURAL_SUPPORT = "no-dietary-need", "no-natural-support"

KEY_WORKER, CARE_COORDINATOR = "key-worker", "768820003"
SUPERVISOR = "supervisor"
SNOMED = "http://snomed.info/sct"
PATIENT_ROLE, CAREGIVER = "116154003", "133932002"
"""Roles in a team, of SNOMED CT, which US Core asks of everybody in it."""
GUARDIANS = frozenset({"GUARD", "POWATT", "DPOWATT", "HPOWATT", "SPOWATT", "RESPRSN"})
PARENTS = frozenset({"MTH", "FTH", "PRN", "NMTH", "NFTH", "ADOPTP", "STPPRN"})

NATURAL_SUPPORT, UNFUNDED, SELF_DIRECTED = "natural-support", "unfunded", "self-directed"
RESTRICTION = "rights-restriction"
REVIEW, RENEWAL, INFORM, STEP = "plan-review", "plan-renewal", "inform", "crisis-step"
SIGN, MONITOR = "sign-plan", "monitor-plan"
PROCESS = frozenset({REVIEW, RENEWAL, INFORM, STEP, SIGN, MONITOR})
"""Codes of the Tasks that keep a plan going, rather than being part of the support."""

CLIENT_REQUEST, EXPLAINED, REFUSED = "client-request", "plan-explained", "signature-refused"
PROPOSE, WITHDRAW = "propose", "withdraw"
"""What a Provenance says was done with a draft: put before those who sign it, or taken back."""
AGREED = "agreed-content"
"""The extension with the hash of what was put forward."""
STATUS_CHANGES = frozenset({"activate", "suspend", "resume", "revoke", "complete"})

PROGRESS_NOTES = frozenset(
    {"11506-3", "34904-3", "28627-8", "11510-5", "28656-7", "34125-5", "34785-6", "78263-1"}
)
DISCHARGE_SUMMARY, ADVANCE_DIRECTIVE = "18842-5", "104144-1"

LIVE_GOALS = frozenset({"proposed", "planned", "accepted", "active"})
ENDED_GOALS = frozenset({"completed", "cancelled", "rejected", "entered-in-error"})
LIVE_REQUESTS = frozenset({"draft", "active", "on-hold"})
LIVE_TASKS = frozenset(
    {"draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold"}
)
EFFECTIVE = frozenset({"active", "on-hold", "completed"})
"""CarePlan.status from which on the plan is in force, and must have been agreed on."""

SUBSTANCE_USE = frozenset({"SUD", "ETH", "ETHUD", "OPIOIDUD"})
RESTRICTED = frozenset({"R", "V"})
PART_2 = "42CFRPart2"
