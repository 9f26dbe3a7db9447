DROP TABLE previewed_questions;
DROP TABLE change_previews;
