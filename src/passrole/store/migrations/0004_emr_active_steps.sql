-- EMR steps that are not over are marked, so that a cluster does not read all steps that it ever had.
INSERT INTO documents (kind, key, body)
    SELECT 'emr-active-step', key, CAST('{}' AS BLOB) FROM documents
    WHERE kind = 'emr-step' AND CASE WHEN json_valid(CAST(body AS TEXT))
        THEN json_extract(CAST(body AS TEXT), '$.state') IN ('PENDING', 'RUNNING', 'CANCEL_PENDING') END;
