// Coroutines whose places are known, so that what the pool keeps of them can be counted from outside.
import CShim
import Faultline
import Glibc
import TestSupport

func say(_ text: String) { _ = (text + "\n").withCString { write(2, $0, strlen($0)) } }

/// Ends the process when something that must hold does not.
func require(_ condition: Bool, _ text: @autoclosure () -> String, line: Int = #line) {
    if condition { return }
    say("failed at line \(line): \(text())")
    exit(9)
}

typealias Waiting = Coroutine<Void, Void, Void>

/// Slots in use of the size that `configuration` names.
func slots(_ configuration: StackConfiguration) -> Int {
    let size = (0..<fl_slot_size.FL_SLOT_SIZES.rawValue).map { fl_slot_size(rawValue: $0)! }
        .first { Int(fl_slot_geometry_of($0).size) == configuration.reservation }
    return Int(fl_slots_in_use(size!))
}

/// Stacks that were alive at the same time, and then ended.
struct Ended {
    private let tops: [UInt]

    /// Makes `count` coroutines, which use a few pages each, and ends them all.
    init(_ count: Int, _ configuration: StackConfiguration) throws {
        // In a debug build an array that is used for the first time takes more than a small stack has.
        let found = UnsafeMutablePointer<UInt>.allocate(capacity: count)
        defer { found.deallocate() }
        var waiting = try (0..<count).map { number in
            let place = found + number
            let coroutine = try Waiting(configuration: configuration) { co, _ in
                place.pointee = ts_running_stack()!.pointee.base
                ts_touch_down(1)
                try co.suspend(())
            }
            _ = try coroutine.resume()
            return coroutine
        }
        for coroutine in waiting { _ = try coroutine.resume() }
        waiting.removeAll()
        tops = Array(UnsafeBufferPointer(start: found, count: count))
    }

    /// Pages that are there of the upper 16 KiB of each.
    var pages: Int {
        tops.reduce(0) { sum, top in
            var present: [UInt8] = [0, 0, 0, 0]
            let low = UnsafeMutableRawPointer(bitPattern: top - 16384)
            require(mincore(low, 16384, &present) == 0, "mincore: \(errno)")
            return sum + present.reduce(0) { $0 + Int($1 & 1) }
        }
    }

    /// How many of them have a page.
    var withPages: Int {
        tops.filter { top in
            var present: UInt8 = 0
            let low = UnsafeMutableRawPointer(bitPattern: top - 4096)
            require(mincore(low, 4096, &present) == 0, "mincore: \(errno)")
            return present & 1 != 0
        }.count
    }
}

/// Runs `body` on a thread and waits for the thread's end.
func onThread(_ body: @escaping () throws -> Void) {
    final class Entry {
        let body: () throws -> Void
        init(_ body: @escaping () throws -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let error = pthread_create(
        &thread, nil,
        { argument in
            do { try Unmanaged<Entry>.fromOpaque(argument!).takeRetainedValue().body() } catch {
                say("failed: \(error)")
                exit(9)
            }
            return nil
        }, Unmanaged.passRetained(Entry(body)).toOpaque())
    require(error == 0, "no thread: \(error)")
    pthread_join(thread, nil)
}
