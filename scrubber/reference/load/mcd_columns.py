"""Before any claim: the columns of the Medicare Coverage Database's exports, exactly as published."""

from __future__ import annotations

_CODES = ("range", "last_updated", "long_description", "short_description")
_VERSIONED = ("article_id", "article_version")
_KEPT_BY = ("contractor_id", "contractor_type_id", "contractor_version")

ARTICLE = (
    *_VERSIONED, "article_type", "title", "article_pub_date", "article_eff_date", "article_end_date", "description",
    "other_comments", "sad_url", "status", "last_updated", "history_exp", "key_article", "icd9_covered_para",
    "icd9_noncovered_para", "revenue_para", "thirty_percent", "article_rev_end_date", "source_article_id",
    "date_retired", "keywords", "icd10_doc", "add_icd10_info", "cms_cov_policy", "display_id", "reference_article",
)  # fmt: skip
PROCEDURES = (*_VERSIONED, "hcpc_code_id", "hcpc_code_version", "hcpc_code_group", *_CODES)
PROCEDURE_GROUPS = (*_VERSIONED, "hcpc_code_group", "paragraph", "last_updated")
COVERED = (
    *_VERSIONED, "icd10_code_id", "icd10_code_version", "icd10_covered_group", "range", "last_updated", "sort_order",
    "description", "asterisk",
)  # fmt: skip
COVERED_GROUPS = (*_VERSIONED, "icd10_covered_group", "paragraph", "last_updated", "icd10_covered_ast")
NONCOVERED = (
    *_VERSIONED, "icd10_code_id", "icd10_code_version", "icd10_noncovered_group", "range", "last_updated",
    "sort_order", "description",
)  # fmt: skip
NONCOVERED_GROUPS = (*_VERSIONED, "icd10_noncovered_group", "paragraph", "last_updated")
ARTICLE_CONTRACTORS = (*_VERSIONED, "article_type", *_KEPT_BY, "last_updated")
RELATED = (
    *_VERSIONED, "related_num", "r_article_id", "r_article_version", "r_lcd_id", "r_lcd_version", "r_contractor_id",
    "last_updated",
)  # fmt: skip
LCD = (
    "lcd_id", "lcd_version", "title", "determination_number", "orig_det_eff_date", "ent_det_end_date", "rev_eff_date",
    "rev_end_date", "indication", "diagnoses_support", "icd9_dont_support_para", "icd9_dont_support_ast",
    "diagnoses_dont_support", "coding_guidelines", "doc_reqs", "appendices", "util_guide", "source_info",
    "adv_meeting", "comment_start_dt", "comment_end_dt", "notice_start_dt", "rev_hist_num", "history_exp",
    "last_reviewed_on", "status", "last_updated", "cms_cov_policy", "display_id", "draft_contact", "revenue_para",
    "thirty_percent", "keywords", "associated_info", "notice_end_dt", "date_retired", "draft_released_date",
    "source_lcd_id", "add_icd10_info", "icd10_doc", "synopsis_changes", "bibliography", "summary_of_evidence",
    "analysis_of_evidence", "mcd_publish_date", "issue", "issue_change", "mac_initiated",
)  # fmt: skip
CONTRACTOR = (
    *_KEPT_BY, "contractor_bus_name", "contractor_number", "dmerc_rgn", "address1", "address2", "address3", "city",
    "state_id", "zipcode", "phone", "fax", "status", "last_updated", "url", "email", "ignore", "status_flag",
    "cmd_name", "cmd_title", "contractor_subtype_id",
)  # fmt: skip
JURISDICTION = (*_KEPT_BY, "state_id", "last_updated", "active_date", "term_date")
STATE = ("state_id", "state_abbrev", "description")
