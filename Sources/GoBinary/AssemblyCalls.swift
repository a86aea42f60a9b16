// Which functions go into assembly. No signal preempts a goroutine there, as in the runtime and reflection: a loop that
// does little but call it stops at the checks of the functions on the way.

import ObjectCode

extension GoExecutable {
    /// The assembly of the runtime that works on as much memory as its caller says, and that of system calls, at whose
    /// end signals arrive. Other assembly of it is short.
    private static let longRuntimeAssembly: Set<String> = [
        "runtime.memmove", "runtime.memclrNoHeapPointers", "runtime.memequal", "runtime.memequal_varlen",
        "runtime.cmpstring", "runtime.memhash", "runtime.strhash",
        // Up to 1.22, up to 1.25, and since.
        "runtime/internal/syscall.Syscall6", "internal/runtime/syscall.Syscall6",
        "internal/runtime/syscall/linux.Syscall6",
    ]

    /// Addresses of functions that are assembly, call it, or call functions without a check that do.
    ///
    /// - Complexity: Proportional to the size of the code.
    func functionsThatReachAssembly() -> Set<UInt64> {
        var callers: [UInt64: [Int]] = [:]
        var reached: Set<UInt64> = []
        var queue: [UInt64] = []
        for (index, checked) in functions.enumerated() {
            let function = checked.function
            let isOfRuntime = Self.runtimePackages.contains { function.name.hasPrefix($0) }
            if function.isAssembly {
                guard !isOfRuntime || Self.longRuntimeAssembly.contains(function.name) else { continue }
                reached.insert(function.address)
                queue.append(function.address)
            } else if checked.check == nil || !isOfRuntime {
                var scan = CallScan(code(of: function), at: function.address, in: file)
                while let site = scan.next() {
                    switch site.kind {
                    case .call(let target), .jump(let target): callers[target, default: []].append(index)
                    case .indirectCall, .indirectJump: break
                    }
                }
            }
        }
        while let target = queue.popLast() {
            for caller in callers[target] ?? [] {
                let checked = functions[caller]
                guard reached.insert(checked.function.address).inserted else { continue }
                if checked.check == nil { queue.append(checked.function.address) }
            }
        }
        return reached
    }
}
