-- Named as the field has it.
ALTER TABLE executions RENAME COLUMN about TO metadata;
