-- The texts of the widget in further languages, as a JSON object by language tag. Those of the default language are in `widget`.
ALTER TABLE sites ADD COLUMN widget_texts TEXT NOT NULL DEFAULT '{}';
