import Measurement
import Report
import Testing

struct PrometheusTests {
    @Test func `families are written as Prometheus reads them`() throws {
        let families = [
            PrometheusFamily(
                "faultline_traps_total", help: "Traps by verdict.",
                .counter([
                    .init(12, labels: ["verdict": "growth"]),
                    .init(0, labels: ["verdict": "nil", "strategy": "a\\b \"c\"\nd"]),
                ])),
            PrometheusFamily("faultline_arena_bytes", help: "Bytes\\reserved.\nNow.", .gauge([.init(1.5)])),
            PrometheusFamily(
                "faultline_handler_seconds", help: "Time in the handler.",
                .histogram(
                    buckets: [
                        .init(upperBound: 1e-6, cumulativeCount: 3), .init(upperBound: 0.5, cumulativeCount: 4),
                    ], sum: 1.25, count: 5, labels: ["cpu": "0"])),
            PrometheusFamily(
                "faultline_move_seconds", help: "Time of a move.",
                .summary(quantiles: [.init(fraction: 0.99, value: .nan)], sum: 0, count: 0, labels: [:])),
        ]
        #expect(
            try PrometheusText.render(families) == #"""
                # HELP faultline_traps_total Traps by verdict.
                # TYPE faultline_traps_total counter
                faultline_traps_total{verdict="growth"} 12
                faultline_traps_total{strategy="a\\b \"c\"\nd",verdict="nil"} 0
                # HELP faultline_arena_bytes Bytes\\reserved.\nNow.
                # TYPE faultline_arena_bytes gauge
                faultline_arena_bytes 1.5
                # HELP faultline_handler_seconds Time in the handler.
                # TYPE faultline_handler_seconds histogram
                faultline_handler_seconds_bucket{cpu="0",le="1e-06"} 3
                faultline_handler_seconds_bucket{cpu="0",le="0.5"} 4
                faultline_handler_seconds_bucket{cpu="0",le="+Inf"} 5
                faultline_handler_seconds_sum{cpu="0"} 1.25
                faultline_handler_seconds_count{cpu="0"} 5
                # HELP faultline_move_seconds Time of a move.
                # TYPE faultline_move_seconds summary
                faultline_move_seconds{quantile="0.99"} NaN
                faultline_move_seconds_sum 0
                faultline_move_seconds_count 0

                """#)
    }

    @Test func `nothing is an empty text`() throws {
        #expect(try PrometheusText.render([]) == "")
    }

    @Test func `a histogram of durations becomes a summary in seconds`() throws {
        var histogram = LatencyHistogram()
        for _ in 0..<999 { histogram.record(1000) }
        histogram.record(2_000_000_000)
        let family = PrometheusFamily.summary(
            "faultline_handler_seconds", help: "Time.", of: histogram, labels: ["kind": "growth"])
        #expect(
            try PrometheusText.render([family]) == """
                # HELP faultline_handler_seconds Time.
                # TYPE faultline_handler_seconds summary
                faultline_handler_seconds{kind="growth",quantile="0.5"} 1e-06
                faultline_handler_seconds{kind="growth",quantile="0.99"} 1e-06
                faultline_handler_seconds{kind="growth",quantile="0.999"} 1e-06
                faultline_handler_seconds{kind="growth",quantile="1"} 2
                faultline_handler_seconds_sum{kind="growth"} 2.000999
                faultline_handler_seconds_count{kind="growth"} 1000

                """)
    }

    private static func gauge(_ name: String, labels: [String: String] = [:]) -> [PrometheusFamily] {
        [PrometheusFamily(name, help: "h", .gauge([.init(1, labels: labels)]))]
    }

    private static func buckets(_ pairs: [(Double, UInt64)], count: UInt64 = 9, labels: [String: String] = [:])
        -> [PrometheusFamily]
    {
        let buckets = pairs.map { PrometheusFamily.Bucket(upperBound: $0.0, cumulativeCount: $0.1) }
        let content = PrometheusFamily.Content.histogram(buckets: buckets, sum: 0, count: count, labels: labels)
        return [PrometheusFamily("faultline_x_seconds", help: "h", content)]
    }

    private static func counter(_ name: String, _ samples: [PrometheusFamily.Sample]) -> [PrometheusFamily] {
        [PrometheusFamily(name, help: "h", .counter(samples))]
    }

    private static let broken: [([PrometheusFamily], String)] = [
        (gauge("go_threads"), "a name is"), (gauge("faultline_a-b"), "a name is"),
        (gauge("faultline_µs"), "a name is"), (gauge(""), "a name is"),
        (gauge("faultline_a") + gauge("faultline_a"), "occurs twice"),
        (gauge("faultline_a", labels: ["a b": "c"]), "label 'a b'"),
        (gauge("faultline_a", labels: ["": "c"]), "label ''"),
        (gauge("faultline_a", labels: ["0a": "c"]), "label '0a'"),
        (gauge("faultline_a", labels: ["__a": "c"]), "label '__a'"),
        (counter("faultline_traps", []), "ends in '_total'"),
        (counter("faultline_a_total", [.init(-1)]), "not negative"),
        (counter("faultline_a_total", [.init(.nan)]), "not negative"),
        (counter("faultline_a_total", [.init(1), .init(2)]), "same labels"),
        (buckets([(1, 1), (1, 2)]), "ascending"), (buckets([(1, 2), (2, 1)]), "ascending"),
        (buckets([(.infinity, 1)]), "finite"), (buckets([(1, 10)]), "up to the count"),
        (buckets([(1, 1)], labels: ["le": "1"]), "'le' is reserved"),
        (
            [
                PrometheusFamily(
                    "faultline_a", help: "h",
                    .summary(quantiles: [.init(fraction: 99, value: 1)], sum: 0, count: 0, labels: [:]))
            ], "between 0 and 1"
        ),
    ]

    @Test(arguments: broken)
    func `a family that breaks a rule is an error`(families: [PrometheusFamily], reason: String) throws {
        let error = try #require(#expect(throws: ReportError.self) { try PrometheusText.render(families) })
        #expect("\(error)".contains(reason))
    }
}
