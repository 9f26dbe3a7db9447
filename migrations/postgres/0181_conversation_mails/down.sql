DROP TABLE conversation_mails;
