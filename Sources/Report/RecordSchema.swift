/// The JSON Schema (draft 2020-12) of the output of every command.
public enum RecordSchema {
    /// The text of the schema. It is part of the program, so it cannot be missing.
    public static var text: String {
        String(decoding: PackageResources.records_schema_json, as: UTF8.self)
    }
}
