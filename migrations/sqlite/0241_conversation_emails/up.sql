-- Finds the conversations in which an e-mail address was given, to erase or export them.
CREATE INDEX conversations_email ON conversations (site_id, lower(customer_email)) WHERE customer_email IS NOT NULL;
