ALTER TABLE sites DROP COLUMN widget_texts;
