import Glibc
import Testing

@testable import Workloads

@Suite("What programs take") struct MeasuredProcessTests {
    @Test("a program's output, ending and arguments are its own, although a shell starts it") func ending() throws {
        let finished = try Subprocess.finishMeasured(
            "/bin/sh", ["-c", "echo \"$1\"; echo problem >&2; exit 7", "name", "two  words; $HOME"], seconds: 30)
        #expect(finished.ending == .exited(7))
        #expect(finished.output == "two  words; $HOME\n")
        #expect(finished.errors == "problem\n")
    }

    @Test("the peak of memory is the program's, not that of the process that starts it") func peak() throws {
        // Resident here, and counted of every program that is started directly.
        let size = 96 << 20
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
        defer { memory.deallocate() }
        memset(memory, 1, size)
        let finished = try Subprocess.finishMeasured("/bin/true", [], seconds: 30)
        #expect(finished.ending == .exited(0))
        #expect((100 << 10..<32 << 20).contains(finished.usage.peakResident))
        #expect(finished.usage.minorFaults > 10)
    }

    @Test("processor time is counted") func processorTime() throws {
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
        let finished = try Subprocess.finishMeasured("/bin/sh", ["-c", busy], seconds: 60)
        let idle = try Subprocess.finish("/bin/true", [], seconds: 60)
        #expect(finished.usage.processorTime > idle.usage.processorTime)
    }

    @Test("one that does not end is killed with what it started") func timeLimit() throws {
        let finished = try Subprocess.finishMeasured("/bin/sh", ["-c", "sleep 600 & echo $!; wait"], seconds: 0.5)
        #expect(finished.ending == .timedOut)
        let number = try #require(pid_t(finished.output.dropLast()))
        var status: Int32 = 0
        // It is this process's to reap now.
        var reaped: pid_t = 0
        for _ in 0..<2000 where reaped == 0 {
            reaped = waitpid(number, &status, WNOHANG)
            if reaped == 0 { usleep(5000) }
        }
        #expect(reaped == number && status & 0x7f == SIGKILL)
    }

    @Test("what cannot be started ends as a shell says it") func missing() throws {
        // A shell reaps a child that ends before it does: often enough to see that happen.
        for _ in 0..<50 {
            let finished = try Subprocess.finishMeasured("/nonexistent/program", [], seconds: 30)
            #expect(finished.ending == .exited(127))
            #expect(finished.errors.contains("/nonexistent/program"))
        }
    }
}
