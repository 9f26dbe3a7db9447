//! Tests of precedence and of the messages for settings that are not valid.

use std::path::Path;

use super::*;

fn layers(file: &str, environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> SettingsLayers {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let flags = flags.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    SettingsLayers::new(Some((Path::new("helpbot.toml"), file)), environment, flags).expect("a good file")
}

fn refused(layers: &SettingsLayers) -> Vec<String> {
    match Settings::resolve(layers) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn without_settings_the_defaults_describe_a_local_installation() {
    let settings = Settings::resolve(&layers("", &[], &[])).unwrap_or_else(|problems| panic!("{problems:?}"));

    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.data, Path::new("./helpbot-data"));
    assert_eq!(settings.database.to_string(), "sqlite:./helpbot-data/helpbot.db");
    assert!(settings.model.is_none() && settings.smtp.is_none() && settings.allow_private.is_empty());
}

#[test]
fn an_installation_with_a_public_url_has_no_demo_page_by_default() {
    let has_demo = |environment: &[(&str, &str)]| {
        let settings = Settings::resolve(&layers("", environment, &[]));
        settings.unwrap_or_else(|problems| panic!("{problems:?}")).has_demo
    };
    let public = ("HELPBOT_PUBLIC_URL", "https://help.example");

    assert!(has_demo(&[]));
    assert!(!has_demo(&[public]));
    assert!(has_demo(&[public, ("HELPBOT_DEMO", "on")]));
}

#[test]
fn flags_take_precedence_over_the_environment_and_the_file() {
    let file = "listen = '127.0.0.1:1'\ndata = '/file'\nlog = 'warn'";
    let layers =
        layers(file, &[("HELPBOT_LISTEN", "127.0.0.1:2"), ("HELPBOT_DATA", "/env")], &[("listen", "127.0.0.1:3")]);

    let settings = Settings::resolve(&layers).unwrap_or_else(|problems| panic!("{problems:?}"));

    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.data, Path::new("/env"));
    assert_eq!(settings.log, "warn");
    assert_eq!(layers.get("listen").map(|given| given.origin), Some(SettingOrigin::Flag));
    assert_eq!(layers.get("data").map(|given| given.origin), Some(SettingOrigin::Environment));
    assert_eq!(layers.get("log").map(|given| given.origin), Some(SettingOrigin::File));
    assert_eq!(layers.get("log_format").map(|given| given.origin), Some(SettingOrigin::Default));
}

#[test]
fn an_empty_variable_is_not_set_and_an_unknown_one_is_reported() {
    let layers = layers("data = '/file'", &[("HELPBOT_DATA", " "), ("HELPBOT_LISTN", "x"), ("HOME", "/root")], &[]);

    assert_eq!(layers.get("data").map(|given| given.value).as_deref(), Some("/file"));
    assert_eq!(layers.unknown_variables, ["HELPBOT_LISTN"]);
}

#[test]
fn every_invalid_value_is_reported_with_its_origin() {
    let layers = layers(
        "max_connections = 'many'",
        &[("HELPBOT_ALLOW_PRIVATE", "10.0.0.0/99"), ("HELPBOT_DATABASE", "mysql://x")],
        &[("listen", "8080")],
    );

    let problems = refused(&layers);

    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(
        problems.contains(&"listen (command line): \"8080\" is not an address and port such as 127.0.0.1:8080".into())
    );
    assert!(problems.contains(&"max_connections (helpbot.toml): \"many\" is not a number".into()));
    assert!(problems.iter().any(|problem| problem.starts_with("allow_private (environment): ")));
    assert!(problems.iter().any(|problem| problem.starts_with("database (environment): ")));
}

#[test]
fn an_invalid_secret_is_reported_without_showing_it() {
    let secrets = [("HELPBOT_SECRET_KEY", "hunter2"), ("HELPBOT_SMTP_URL", "smtps://ann:hunter2@[")];

    let problems = refused(&layers("", &secrets, &[])).join("\n");

    assert!(problems.contains("secret_key (environment): must be 64 hexadecimal digits"), "{problems}");
    assert!(problems.contains("smtp_url (environment)"), "{problems}");
    assert!(!problems.contains("hunter2"), "{problems}");
}

#[test]
fn embeddings_come_from_a_server_or_a_folder_but_not_both() {
    let folder = ("HELPBOT_EMBED_MODEL_DIR", "/models/all-MiniLM-L6-v2");
    let server = [("HELPBOT_EMBED_BASE_URL", "http://127.0.0.1:1/v1"), ("HELPBOT_EMBED_MODEL", "m")];

    let alone = Settings::resolve(&layers("", &[folder], &[])).map(|settings| settings.embedder);
    let both = refused(&layers("", &[folder, server[0], server[1]], &[]));

    assert_eq!(both, ["embed_model_dir (environment): embed_base_url is set too; only one of them can be used"]);
    let expected = match cfg!(feature = "local-model") {
        true => Ok(Some(EmbeddingModel::Folder("/models/all-MiniLM-L6-v2".into()))),
        false => Err(format!("embed_model_dir (environment): {LOCAL_MODELS_NOT_BUILT}")),
    };
    assert_eq!(alone.map_err(|problems| problems[0].to_string()), expected);
}

#[test]
fn a_mistyped_key_in_the_file_is_refused() {
    let refused = SettingsLayers::new(Some((Path::new("helpbot.toml"), "listn = 'x'")), [], SettingsLayer::new());

    let message = refused.expect_err("no such setting").to_string();
    assert!(
        message.starts_with("helpbot.toml: \"listn\" is not a setting; the settings are listen, metrics_listen, data,"),
        "{message}"
    );
}

#[test]
fn a_list_in_the_file_may_be_a_list() {
    let layers = layers("allow_private = ['127.0.0.1', '10.0.0.0/8']", &[], &[]);

    let settings = Settings::resolve(&layers).unwrap_or_else(|problems| panic!("{problems:?}"));

    assert_eq!(settings.allow_private.to_string(), "127.0.0.1/32, 10.0.0.0/8");
}

#[test]
fn an_unusable_file_of_certificate_authorities_is_reported() {
    let home = tempfile::TempDir::new().expect("a directory");
    let (absent, damaged) = (home.path().join("absent.pem"), home.path().join("damaged.pem"));
    std::fs::write(&damaged, "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n").expect("written");
    let problem = |path: &Path| {
        let path = path.display().to_string();
        refused(&layers("", &[("HELPBOT_CA_FILE", &path)], &[])).join("\n").replace(&path, "PATH")
    };

    assert!(problem(&absent).starts_with("ca_file (environment): cannot read PATH: "), "{}", problem(&absent));
    assert_eq!(
        problem(&damaged),
        "ca_file (environment): PATH: the file contains no valid certificate of an authority"
    );
}
