-- Jobs of every type of step are one kind of document and two kinds of commands; the texts of older commands
-- are read as they are. A key begins with the ARN of the execution.
UPDATE tasks SET kind = 'engine/SubmitJob' WHERE kind = 'engine/SubmitEmrStep';
UPDATE tasks SET kind = 'engine/CancelJob' WHERE kind = 'engine/CancelEmrStep';
UPDATE documents SET kind = 'step-job', body = CAST(json_object(
    'kind', 'EMR',
    'execution', json_extract(body, '$.execution'),
    'role', json_extract(body, '$.role'),
    'step', json_extract(body, '$.step'),
    'attempt', json_extract(body, '$.attempt'),
    'handle', json_object(
        'ClusterId', json_extract(body, '$.cluster_id'),
        'StepId', json_extract(body, '$.emr_step_id'),
        'OwnsCluster', json(CASE json_extract(body, '$.owns_cluster') WHEN 1 THEN 'true' ELSE 'false' END)
    )
) AS BLOB) WHERE kind = 'emr-job';
