//! Registers the schema, so that cynic checks each query against it when the program is compiled.

fn main() {
    let schema = cynic_codegen::register_schema("helpbot").from_sdl_file("../../../../schema.graphql");
    schema.expect("schema.graphql is valid").as_default().expect("the schema is registered");
}
