"""IAM, pure: documents, matching, conditions and the decision. It knows no store, no wire and no clock."""
