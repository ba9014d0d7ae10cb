"""Which test files are asked about which file of the access rules, the quickest to mind first."""

PAPERS = (
    "tests/consent/test_decision.py",
    "tests/consent/test_rules.py",
    "tests/consent/test_provisions.py",
    "tests/consent/test_relationships.py",
)
KINDS = "tests/consent/test_sensitivity.py"
POLICY = "tests/consent/test_policy.py"
LATER = "tests/consent/test_later.py"
ROWS = ("tests/consent/test_relationships.py", "tests/consent/test_visible.py")
CONDITIONS = "tests/http/test_consent_conditions.py"
REPLACED = "tests/http/test_consent_replaced.py"
OLD = "tests/http/test_consent_history.py"
TRAIL = ("tests/http/test_audit_consents_extent.py", "tests/http/test_audit_consents.py")
OFFICERS = "tests/http/test_refused_trail.py"
ASYNCHRONOUS = "tests/http/test_asynchronous_closed.py"
LABELS = "tests/http/test_labels.py"
LABELLING = "tests/fhir/test_label.py"
COVER = "tests/http/test_cover.py"
WHOM = "tests/http/test_cover_whom.py"
REDACTED = (
    "tests/http/test_redaction.py",
    "tests/http/test_redaction_search.py",
    "tests/http/test_redaction_writes.py",
    "tests/http/test_redaction_guesses.py",
    "tests/http/test_redaction_scopes.py",
)
HIDDEN = "tests/http/test_search_hidden.py"
EXISTING = "tests/http/test_redaction_known.py"
BESIDE = "tests/fhir/test_visible_consented.py"
VOUCHED = "tests/http/test_redaction_vouched.py"
INCLUDED = ("tests/http/test_include_vouched.py", "tests/consent/test_vouched.py")
BY_HTTP = ("tests/fhir/test_visible.py", "tests/http/test_access.py", "tests/http/test_history.py")
FILED = ("tests/http/test_file_consent.py",)
DECIDED = (
    "tests/http/test_consent_decision.py",
    "tests/http/test_consent_decision_edges.py",
    "tests/http/test_consent_decision_later.py",
    *FILED,
    "tests/http/test_record_disclosure.py",
)
TOLD = (
    OFFICERS,
    "tests/http/test_refused_whom.py",
    "tests/http/test_audit_trail.py",
    "tests/http/test_audit.py",
    "tests/http/test_audit_of_several.py",
)
ADMITTED = (
    "tests/test_admission.py",
    "tests/http/test_emergency.py",
    "tests/http/test_write_access.py",
    "tests/http/test_scopes.py",
    "tests/http/test_redaction_scopes.py",
    OFFICERS,
)
LABELLED = ("tests/jobs/test_labelling.py", "tests/http/test_relabel.py")

IN_SQL = frozenset(
    {
        "app/fhir/access.py",
        "app/fhir/access_sql.py",
        "app/fhir/consented.py",
        "app/fhir/visible.py",
    }
)
"""What the cases and worlds in the database are asked about; the pure decision is, elsewhere."""

TARGETS = {
    "app/consent/decision.py": (*PAPERS, *DECIDED),
    "app/consent/rules.py": PAPERS,
    "app/consent/provisions.py": PAPERS,
    "app/consent/actors.py": (*PAPERS, LATER),
    "app/consent/affiliations.py": PAPERS,
    "app/consent/relationships.py": PAPERS,
    "app/consent/rows.py": ROWS,
    "app/consent/marks.py": ("tests/consent/test_marks.py",),
    "app/consent/labels.py": (KINDS,),
    "app/consent/sensitivity.py": (KINDS, *PAPERS),
    "app/consent/purpose.py": (POLICY,),
    "app/consent/policy.py": (POLICY,),
    "app/consent/access.py": (*PAPERS, "tests/http/test_access.py", CONDITIONS),
    "app/consent/part2.py": (*PAPERS, "tests/consent/test_part2.py"),
    "app/consent/check.py": ("tests/consent/test_check.py",),
    "app/consent/cover.py": (COVER, WHOM, "tests/http/test_disclosures.py"),
    "app/consent/emergency.py": (
        "tests/http/test_emergency_alert.py",
        "tests/http/test_emergency_trail.py",
        "tests/http/test_emergency.py",
    ),
    "app/consent/oneself.py": ("tests/http/test_oneself.py",),
    "app/consent/relabel.py": ("tests/http/test_relabel_writes.py",),
    "app/consent/disclosures.py": ("tests/http/test_disclosures.py",),
    "app/consent/operations/consent_decision.py": DECIDED,
    "app/consent/operations/deciding.py": DECIDED,
    "app/consent/operations/file_consent.py": FILED,
    "app/consent/operations/later.py": DECIDED,
    "app/consent/operations/record_disclosure.py": DECIDED,
    "app/consent/operations/revoke_consent.py": FILED,
    "app/admission.py": ADMITTED,
    "app/jobs/labelling.py": LABELLED,
    "app/storage/labelling.py": LABELLED,
    "app/fhir/access.py": (*BY_HTTP, "tests/auth/test_scopes.py", "tests/test_admission.py"),
    "app/fhir/visible.py": (
        BESIDE,
        *INCLUDED,
        BY_HTTP[0],
        OLD,
        BY_HTTP[1],
        OFFICERS,
        BY_HTTP[2],
        *TRAIL,
    ),
    "app/fhir/access_sql.py": (BESIDE, BY_HTTP[0], OLD, BY_HTTP[1], OFFICERS, BY_HTTP[2], *TRAIL),
    "app/fhir/consented.py": (
        OLD,
        CONDITIONS,
        REPLACED,
        COVER,
        *TRAIL,
        BY_HTTP[0],
        DECIDED[0],
        LATER,
    ),
    "app/fhir/grounds.py": (COVER, WHOM, REPLACED, CONDITIONS, *TRAIL, LABELS, *DECIDED, LATER),
    "app/fhir/known.py": (EXISTING, *REDACTED, HIDDEN, "tests/http/test_scopes.py"),
    "app/fhir/redact.py": ("tests/fhir/test_redact.py", *REDACTED),
    "app/fhir/erasure.py": ("tests/fhir/test_erasure.py", *REDACTED),
    "app/fhir/search/vouched.py": ("tests/fhir/search/test_vouched.py", *INCLUDED),
    "app/fhir/search/kept.py": ("tests/fhir/search/test_kept.py", "tests/http/test_search_kept.py"),
    "app/storage/connections.py": ("tests/storage/test_database.py",),
    "app/fhir/search/masked.py": ("tests/fhir/search/test_masked.py", HIDDEN, EXISTING, *REDACTED),
    "app/fhir/label.py": (LABELLING, LABELS, "tests/http/test_document_marks.py", ASYNCHRONOUS),
    "app/fhir/named.py": ("tests/fhir/test_named.py", *TOLD),
    "app/fhir/refused.py": TOLD,
    "app/fhir/marks.py": (LABELLING, "tests/consent/test_marks.py", *DECIDED),
    "app/fhir/compartments.py": (
        "tests/fhir/test_compartments.py",
        *BY_HTTP,
        "tests/http/test_write_access.py",
    ),
    "app/fhir/disclose.py": (
        "tests/fhir/test_disclose.py",
        EXISTING,
        "tests/http/test_read.py",
        REDACTED[0],
        LABELS,
        "tests/http/test_summary_and_elements.py",
        "tests/http/test_audit_trail.py",
    ),
    "app/storage/together.py": ("tests/storage/test_together.py",),
    "app/fhir/alike.py": ("tests/consent/test_alike.py", VOUCHED, *REDACTED),
    "app/fhir/hidden.py": (*REDACTED, LABELS, INCLUDED[0]),
    "app/fhir/sharing.py": (
        "tests/fhir/test_sharing.py",
        "tests/fhir/test_sharing_edges.py",
        "tests/fhir/test_commit_together.py",
    ),
}
