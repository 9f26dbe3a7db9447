DROP TABLE canned_replies;
DROP TABLE conversation_notes;
DROP TABLE conversation_tags;
ALTER TABLE conversations DROP COLUMN priority;
