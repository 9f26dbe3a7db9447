DROP TABLE identity_secrets;
DROP TABLE contacts;
