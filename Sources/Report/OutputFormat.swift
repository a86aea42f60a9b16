/// How results are written. The raw values are the arguments of `--format`.
public enum OutputFormat: String, Sendable, CaseIterable {
    /// Text columns for people.
    case table
    /// A ``Document`` as JSON.
    case json
    /// The text exposition format of Prometheus; for statistics only.
    case prometheus
}

extension Document {
    /// The document as a table or as JSON, ending in a newline; `nil` for ``OutputFormat/prometheus``, which shows
    /// statistics (``PrometheusText``), not records.
    ///
    /// - Throws: ``ReportError/invalidRecord(record:reason:)``.
    public func text(as format: OutputFormat) throws -> String? {
        switch format {
        case .table: try table()
        case .json: try json()
        case .prometheus: nil
        }
    }
}
