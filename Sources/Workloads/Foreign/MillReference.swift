// What Programs/mill.js and Programs/mill.lua must come to, without an interpreter and without a parser: stations are
// rows of arrays, and an expression's value is computed while its text would be written.

/// The results of the mill, computed in Swift.
struct MillReference {
    private enum Kind { case grinder, mixer, scale }

    private struct Parcel {
        var weight, trips, place, stride: Int
    }

    private static let modulus = 1_000_003
    private static let stations: [(kind: Kind, priority: Int)] = [
        (.grinder, 3), (.mixer, 6), (.scale, 1), (.grinder, 5), (.mixer, 2), (.grinder, 7), (.mixer, 4),
    ]

    /// Parcels handled by stations.
    private(set) var steps = 0
    private var total = 0
    private var value = 0
    private var fold = 0
    private var seed = 42
    private var parcels: [Parcel] = []
    private var queues = [[Int]](repeating: [], count: stations.count)
    private var kept = [Int?](repeating: nil, count: stations.count)

    /// The text that both programs return.
    var text: String { "\(steps) \(total) \(value) \(fold)" }

    /// The checksum that both drivers make of it.
    var checksum: UInt64 {
        var hash = FNVHash()
        for byte in text.utf8 { hash.add(byte) }
        return hash.value
    }

    init(size: Int) {
        for index in 0..<size {
            let (weight, trips, place) = (random(1009), 3 + random(5), random(7))
            parcels.append(Parcel(weight: weight, trips: trips, place: place, stride: 1 + random(6)))
            send(index)
        }
        // The ready station of the highest priority works until none is ready.
        let order = Self.stations.indices.sorted { Self.stations[$0].priority > Self.stations[$1].priority }
        while let station = order.first(where: { !queues[$0].isEmpty }) {
            work(station, on: queues[station].removeFirst())
            steps += 1
        }
        for _ in stride(from: 0, to: size, by: 16) {
            var counts: [Int: Int] = [:]
            value = (value * 31 + expression(depth: 7, &counts)) % Self.modulus
            for (number, count) in counts.sorted(by: { $0.key < $1.key }) {
                fold = (fold * 31 + number * count) % Self.modulus
            }
        }
    }

    private mutating func random(_ limit: Int) -> Int {
        seed = seed * 16807 % 2_147_483_647
        return seed % limit
    }

    private mutating func send(_ parcel: Int) {
        parcels[parcel].place = (parcels[parcel].place + parcels[parcel].stride) % Self.stations.count
        queues[parcels[parcel].place].append(parcel)
    }

    private mutating func work(_ station: Int, on parcel: Int) {
        switch Self.stations[station].kind {
        case .grinder:
            parcels[parcel].weight = parcels[parcel].weight * 7 % 1009 + 1
            send(parcel)
        case .mixer:
            guard let other = kept[station] else {
                kept[station] = parcel
                return
            }
            kept[station] = nil
            parcels[parcel].weight = (parcels[parcel].weight + parcels[other].weight) % 1009
            send(parcel)
            send(other)
        case .scale:
            total = (total * 31 + parcels[parcel].weight) % Self.modulus
            parcels[parcel].trips -= 1
            if parcels[parcel].trips > 0 { send(parcel) }
        }
    }

    private mutating func expression(depth: Int, _ counts: inout [Int: Int]) -> Int {
        if depth == 0 || random(6) == 0 {
            let number = random(1000)
            counts[number, default: 0] += 1
            return number
        }
        let left = expression(depth: depth - 1, &counts)
        let sign = random(3)
        let right = expression(depth: depth - 1, &counts)
        switch sign {
        case 0: return (left + right) % Self.modulus
        case 1: return (left - right + Self.modulus) % Self.modulus
        default: return left * right % Self.modulus
        }
    }
}
