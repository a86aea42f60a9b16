// The stack needs of compiled C: frames from the section `.stack_sizes`, which clang writes with -fstack-size-section
// (pairs of an address of 8 bytes and a size as a variable-length number), functions from the symbol table.
//
// A size has neither the return address nor arguments that are pushed for a call, nor the red zone of a function that
// calls nothing: 128 bytes below the stack pointer that it may use (System V ABI for AMD64, 3.2.2). Functions with
// arrays of variable length are not in the section.

import ObjectCode

extension StackAnalysis {
    private static let section = ".stack_sizes"
    private static let redZone = 128
    private static let returnAddress = 8
    /// Symbols of a damaged file may all name the same code.
    private static let maximumBytesPerByte = 4

    /// The stack needs of a native executable or shared object.
    ///
    /// - Throws: ``GoBinaryError`` where it has no sizes of frames or no symbols.
    init(native file: ElfFile) throws(GoBinaryError) {
        let sizes = Self.sizes(file)
        guard !sizes.isEmpty else {
            throw GoBinaryError(
                "neither built by Go nor with sizes of frames (\(Self.section)); "
                    + "compile it by clang with -fstack-size-section")
        }
        let all = try GoBinaryError.reporting { () throws(ElfError) in
            try file.functions().sorted { $0.address < $1.address }
        }
        guard all.reduce(0, { $0 + $1.code.count }) <= Self.maximumBytesPerByte * file.bytes.count else {
            throw .malformed("its functions lie on one another")
        }
        let numbers = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1.address, $0) })
        var graph = CallGraph()
        var functions: [Function] = []
        for function in all {
            let frame = sizes[function.address]
            var node = CallGraph.Node(frame: frame ?? 0)
            if frame == nil { node.doubts.insert(.unknownFrame) }
            let unknownCalls = Self.read(function, file, numbers, &node)
            if node.calls.isEmpty, unknownCalls == 0 { node.frame += Self.redZone }
            graph.append(node)
            functions.append(
                Function(
                    name: GoExecutable.printable(function.name), address: function.address, frame: frame, need: 0,
                    doubts: [], isSwitch: false, unknownCalls: unknownCalls, own: node.doubts))
        }
        self.init(graph, functions, source: Self.nativeCode, isPositionIndependent: file.isPositionIndependent)
    }

    /// Frames by address; what is behind damage is left out.
    private static func sizes(_ file: ElfFile) -> [UInt64: Int] {
        var sizes: [UInt64: Int] = [:]
        guard let section = file.sections.first(where: { $0.name == Self.section }),
            file.bytes.holds(section.offset, section.size)
        else { return [:] }
        var offset = section.offset
        while offset < section.offset + section.size, let address = file.bytes.integer(offset, as: UInt64.self),
            let (size, next) = VariableLength.number(file.bytes, offset + 8), size <= CallGraph.deepest
        {
            sizes[address] = max(sizes[address] ?? 0, Int(size))
            offset = next
        }
        return sizes
    }

    /// Adds what the code of a function calls, and how much it may push for that. Returns the calls of what is unknown.
    private static func read(
        _ function: ElfFile.Function, _ file: ElfFile, _ numbers: [UInt64: Int], _ node: inout CallGraph.Node
    ) -> Int {
        var scan = CallScan(function.code, at: function.address, in: file)
        var pushed = Pushed(function.code, frame: node.frame)
        var deepest: [Int: Int] = [:]
        var unknownCalls = 0
        while let site = scan.next() {
            let depth = node.frame + pushed.bytes(at: site.offset)
            let target: UInt64
            let call: Int
            switch site.kind {
            case .call(let address): (target, call) = (address, depth + returnAddress)
            // Of a part that the compiler put elsewhere the frame is still there.
            case .jump(let address): (target, call) = (address, depth)
            case .indirectCall, .indirectJump:
                node.doubts.insert(.indirectCall)
                unknownCalls += 1
                continue
            }
            if let callee = numbers[target] {
                deepest[callee] = max(deepest[callee] ?? 0, call)
            } else {
                node.doubts.insert(.foreignCode)
                unknownCalls += 1
            }
        }
        if scan.isUnclear { node.doubts.insert(.unclearCode) }
        node.calls = deepest.map { CallGraph.Call(target: $0.key, depth: $0.value) }.sorted { $0.target < $1.target }
        return unknownCalls
    }
}

/// What a function has pushed since the last branch or call, beyond its frame where that is what it begins with. More
/// than what it pushes as arguments where a frame is made behind a branch.
private struct Pushed {
    private let code: ArraySlice<UInt8>
    private var offset: Int
    private var sum: Int

    init(_ code: ArraySlice<UInt8>, frame: Int) {
        self.code = code
        offset = code.startIndex
        sum = -frame
    }

    /// Bytes before the instruction at an offset from the first byte, which is not less than that of the call before.
    mutating func bytes(at site: Int) -> Int {
        while offset < code.startIndex + site, let instruction = Instruction(code, at: offset) {
            offset += instruction.length
            if instruction.branch != nil || instruction.register == 2 && instruction.opcode == 0xff {
                sum = 0
            } else {
                sum += Self.pushed(instruction, code[offset - instruction.length..<offset])
            }
        }
        return max(0, sum)
    }

    private static func pushed(_ instruction: Instruction, _ bytes: ArraySlice<UInt8>) -> Int {
        guard instruction.map == .one else { return 0 }
        switch instruction.opcode {
        case 0x50...0x57, 0x68, 0x6a: return 8
        case 0xff where instruction.register == 6: return 8
        // sub rsp, number
        case 0x83 where instruction.modRM == 0xec && instruction.rex & 9 == 8:
            return max(0, Int(Int8(bitPattern: bytes[bytes.endIndex - 1])))
        case 0x81 where instruction.modRM == 0xec && instruction.rex & 9 == 8:
            return max(0, Int32(littleEndianBytes: bytes.suffix(4)).map(Int.init) ?? 0)
        default: return 0
        }
    }
}
