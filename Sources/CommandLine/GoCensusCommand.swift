// `faultline go census`: which functions of Go programs have a stack check, and what the checks take.

import ArgumentParser
import GoBinary
import Measurement
import ObjectCode
import Report

/// Counts the checks of Go executables.
struct GoCensusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "census", abstract: "Count the stack checks of Go executables.",
        discussion: """
            The hot part of a check is what runs when it passes, the cold part what it leads to when it fails.

            Examples:
              faultline go census /usr/lib/go-1.19/bin/gofmt
              faultline go census --format json server client > census.json
            """)

    @Argument(help: ArgumentHelp("Go executables.", valueName: "binary"))
    var binaries: [String]

    @Option(help: ArgumentHelp("How many of the functions with the largest frames are shown.", valueName: "count"))
    var frames = 10

    @Option(help: ArgumentHelp("How to print.", valueName: "format"))
    var format = ResultFormat.table

    func validate() throws {
        guard (0...1000).contains(frames) else {
            throw ValidationError("--frames \(frames) is out of range: 0 to 1000")
        }
    }

    func run() throws {
        // All are read before anything is printed.
        let programs = try binaries.map { (path: $0, program: try GoProgramFile.read($0)) }
        let censuses = programs.map {
            (path: $0.path, program: $0.program, census: GoCensus($0.program, frames: frames))
        }
        switch format {
        case .table:
            StandardOutput.write(
                censuses.map { Self.text($0.path, $0.program, $0.census) }.joined(separator: "\n"))
        case .json:
            let records = censuses.flatMap { Self.records($0.path, $0.program, $0.census) }
            StandardOutput.write(try Document(machine: .current(), records: records).json())
        }
    }

    private static func share(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }

    private static func percent(_ part: Int, _ whole: Int) -> String {
        "\((share(part, whole) * 1000).rounded() / 10) %"
    }

    private static func each(_ sum: Int, _ count: Int) -> String {
        count == 0 ? "" : "\((Double(sum) / Double(count) * 100).rounded() / 100)"
    }

    private static func text(_ path: String, _ program: GoExecutable, _ census: GoCensus) -> String {
        var table = TextTable([
            .init("check"), .init("functions", .right), .init("of all", .right), .init("hot instructions", .right),
            .init("hot bytes", .right), .init("cold instructions", .right), .init("cold bytes", .right),
            .init("hot of .text", .right), .init("cold of .text", .right),
        ])
        func row(_ name: String, _ census: CheckCensus) {
            let (hot, cold) = (census.hot, census.cold)
            table.append([
                name, "\(census.checks)", percent(census.checks, census.functions),
                each(hot.instructions, census.checks), each(hot.bytes, census.checks),
                each(cold.instructions, census.checks), each(cold.bytes, census.checks),
                percent(hot.bytes, census.textBytes), percent(cold.bytes, census.textBytes),
            ])
        }
        for frameClass in FrameClass.allCases {
            if let some = census.classes[frameClass] { row("\(frameClass.rawValue) frame", some) }
        }
        row("all", census.total)
        table.append([
            "none", "\(census.unchecked)", percent(census.unchecked, census.total.functions), "", "", "", "", "", "",
        ])
        var text =
            "\(path): \(program.build.version), \(census.total.functions) functions, \(census.total.textBytes) bytes of code\n"
        text += table.rendered(indentation: 2)
        if census.notUnderstood > 0 { text += "  not understood: \(census.notUnderstood)\n" }
        let frames = census.largestFrames.filter { $0.frameSize != nil }
        if !frames.isEmpty {
            var largest = TextTable([.init("largest frames"), .init("bytes", .right)])
            for function in frames { largest.append([function.name, "\(function.frameSize ?? 0)"]) }
            text += largest.rendered(indentation: 2)
        }
        return text
    }

    private static func records(_ path: String, _ program: GoExecutable, _ census: GoCensus) -> [Record] {
        let shared: [String: ParameterValue] = [
            "binary": .string(path), "peer": .string(program.build.version), "functions": .int(census.total.functions),
            "text": .int(census.total.textBytes), "not-understood": .int(census.notUnderstood),
        ]
        func record(_ name: String, _ metric: String, _ unit: MetricUnit, _ value: Double) -> Record {
            Record(suite: "go-census", case: name, metric: metric, unit: unit, exactly: value, parameters: shared)
        }
        func ratio(_ name: String, of baseline: String, _ part: Int, _ whole: Int) -> Record {
            .ratio(
                suite: "go-census", case: name, baseline: baseline, estimate: Estimate(exactly: share(part, whole)),
                parameters: shared)
        }
        var records: [Record] = []
        let rows = FrameClass.allCases.map { ($0.rawValue, census.classes[$0]) } + [("all", census.total)]
        for case (let name, let census?) in rows where census.checks > 0 {
            let (hot, cold, count) = (census.hot, census.cold, Double(census.checks))
            records += [
                record(name, "functions", .count, count),
                ratio("\(name)-functions", of: "all functions", census.checks, census.functions),
                record(name, "hot-instructions", .instructions, Double(hot.instructions) / count),
                record(name, "hot-bytes", .bytes, Double(hot.bytes) / count),
                record(name, "cold-instructions", .instructions, Double(cold.instructions) / count),
                record(name, "cold-bytes", .bytes, Double(cold.bytes) / count),
                ratio("\(name)-hot-text", of: ".text", hot.bytes, census.textBytes),
                ratio("\(name)-text", of: ".text", hot.bytes + cold.bytes, census.textBytes),
            ]
        }
        for function in census.largestFrames {
            if let size = function.frameSize { records.append(record(function.name, "frame", .bytes, Double(size))) }
        }
        return records
    }
}
