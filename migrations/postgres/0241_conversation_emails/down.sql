DROP INDEX conversations_email;
