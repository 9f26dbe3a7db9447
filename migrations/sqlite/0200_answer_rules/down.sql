DROP TABLE answer_rules;
