// Examples/stand-connections with few connections, and what it says when it cannot hold them.
import Foundation
import TestNeeds
import Testing

extension Schedulers {
    @Suite(.timeLimit(.minutes(3)), .needs(.noThreadSanitizer)) struct StandConnections {
        /// The script, from where this file was compiled.
        private static let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Examples/stand-connections").path

        private func stand(
            _ arguments: [String], programs: String? = nil, descriptors: Int? = nil
        ) throws -> (status: Int32, output: String) {
            let running = try Running(
                Self.script, arguments + ["--programs", programs ?? BuiltPrograms.folder], descriptors: descriptors)
            return (running.end(), running.output)
        }

        @Test func oneServerHoldsThemWhereDescriptorsSuffice() throws {
            let (status, output) = try stand(["100", "--lines", "2", "--rate", "0"])
            #expect(status == 0, "\(output)")
            let lines = output.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.hasPrefix("load 1: 100 connections held, 200 answers right, 50 % within ") == true)
            let all = "all: 100 connections to 1 server held at the same time, 200 answers right, "
            #expect(lines.last?.hasPrefix(all) == true, "\(output)")
        }

        @Test func fewDescriptorsTakeMoreServersAndLoads() throws {
            let (status, output) = try stand(["500", "--lines", "4", "--rate", "2000"], descriptors: 450)
            #expect(status == 0, "\(output)")
            #expect(output.contains("load 2: 250 connections held, 1000 answers right, "))
            #expect(output.contains("all: 500 connections to 2 servers held at the same time, 2000 answers right, "))
        }

        @Test func whatIsMissingIsOneLineThatNamesTheSetting() throws {
            let descriptors = try stand(["500", "--servers", "1"], descriptors: 200)
            #expect(descriptors.status == 1)
            #expect(descriptors.output.contains("200 are allowed: raise ulimit -Hn\n"), "\(descriptors.output)")
            let ports = try stand(["100000000"])
            #expect(ports.status == 1)
            // Whichever this machine has fewer of.
            #expect(
                ["ulimit -Hn", "fs.file-max", "net.ipv4.ip_local_port_range"].contains { ports.output.contains($0) })
            let programs = try stand(["10"], programs: "/nonexistent")
            #expect(programs.status == 1)
            #expect(programs.output == "stand-connections: /nonexistent/echo-server is not there\n")
            for outcome in [descriptors, ports, programs] {
                #expect(outcome.output.split(separator: "\n").count == 1, "\(outcome.output)")
            }
        }

        @Test func aProgramThatFailsIsNamed() throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "faultline-stand-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            for name in ["echo-server", "echo-load"] {
                let file = folder.appending(path: name).path
                try Data("#!/bin/sh\necho broken\nexit 1\n".utf8).write(to: URL(filePath: file))
                try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: file)
            }
            let (status, output) = try stand(["10"], programs: folder.path)
            #expect(status == 1)
            #expect(output == "stand-connections: server 1 ended early: broken\n")
        }

        @Test(arguments: [
            ["0"], ["many"], ["5", "6"], ["--servers"], ["--lines", "0"], ["--rate", "-1"], ["--bogus"],
        ])
        func wrongUsageIsOneLine(arguments: [String]) throws {
            let running = try Running(Self.script, arguments)
            #expect(running.end() == 64)
            #expect(running.output.split(separator: "\n").count == 1, "\(running.output)")
        }
    }
}
