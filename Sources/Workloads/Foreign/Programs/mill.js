// What QuickJS runs: parcels travel between the stations of a mill until nothing is left to do; then the text of an
// arithmetic expression is made, parsed by recursive descent, and its numbers are counted. mill.lua is the same program
// in Lua, MillReference.swift computes the same results without an interpreter or a parser. All numbers stay below
// 2^53, where all three agree.

function mill(size) {
    let seed = 42;

    // Park and Miller's generator.
    function random(limit) {
        seed = (seed * 16807) % 2147483647;
        return seed % limit;
    }

    class Station {
        constructor(priority) {
            this.priority = priority;
            this.first = null;
            this.last = null;
            this.kept = null;
        }
        put(parcel) {
            parcel.next = null;
            if (this.last === null) this.first = parcel;
            else this.last.next = parcel;
            this.last = parcel;
        }
        run(yard) {
            const parcel = this.first;
            this.first = parcel.next;
            if (this.first === null) this.last = null;
            this.work(parcel, yard);
        }
    }

    class Grinder extends Station {
        work(parcel, yard) {
            parcel.weight = ((parcel.weight * 7) % 1009) + 1;
            yard.send(parcel);
        }
    }

    class Mixer extends Station {
        work(parcel, yard) {
            const kept = this.kept;
            if (kept === null) {
                this.kept = parcel;
            } else {
                this.kept = null;
                parcel.weight = (parcel.weight + kept.weight) % 1009;
                yard.send(parcel);
                yard.send(kept);
            }
        }
    }

    class Scale extends Station {
        work(parcel, yard) {
            yard.total = (yard.total * 31 + parcel.weight) % 1000003;
            parcel.trips -= 1;
            if (parcel.trips > 0) yard.send(parcel);
        }
    }

    class Yard {
        constructor(stations) {
            this.stations = stations;
            this.total = 0;
        }
        send(parcel) {
            parcel.place = (parcel.place + parcel.stride) % this.stations.length;
            this.stations[parcel.place].put(parcel);
        }
        run() {
            let steps = 0;
            for (;;) {
                let best = null;
                for (const station of this.stations) {
                    if (station.first !== null && (best === null || station.priority > best.priority)) best = station;
                }
                if (best === null) return steps;
                best.run(this);
                steps += 1;
            }
        }
    }

    // Seven is prime, so that every stride leads past the scale.
    const yard = new Yard([
        new Grinder(3), new Mixer(6), new Scale(1), new Grinder(5), new Mixer(2), new Grinder(7), new Mixer(4),
    ]);
    for (let index = 0; index < size; index++) {
        yard.send({ weight: random(1009), trips: 3 + random(5), place: random(7), stride: 1 + random(6), next: null });
    }
    const steps = yard.run();

    function write(depth) {
        if (depth === 0 || random(6) === 0) return String(random(1000));
        const left = write(depth - 1);
        const sign = "+-*".charAt(random(3));
        return "(" + left + sign + write(depth - 1) + ")";
    }

    class Parser {
        constructor(text) {
            this.text = text;
            this.position = 0;
            this.counts = new Map();
        }
        expression() {
            if (this.text.charCodeAt(this.position) !== 40) return this.number();
            this.position += 1;
            const left = this.expression();
            const sign = this.text.charCodeAt(this.position);
            this.position += 1;
            const right = this.expression();
            this.position += 1;
            if (sign === 43) return (left + right) % 1000003;
            if (sign === 45) return (left - right + 1000003) % 1000003;
            return (left * right) % 1000003;
        }
        number() {
            let value = 0;
            for (;;) {
                const digit = this.text.charCodeAt(this.position) - 48;
                if (!(digit >= 0 && digit <= 9)) break;
                value = value * 10 + digit;
                this.position += 1;
            }
            this.counts.set(value, (this.counts.get(value) || 0) + 1);
            return value;
        }
    }

    let value = 0;
    let fold = 0;
    for (let index = 0; index < size; index += 16) {
        const parser = new Parser(write(7));
        value = (value * 31 + parser.expression()) % 1000003;
        const keys = Array.from(parser.counts.keys()).sort((first, second) => first - second);
        for (const key of keys) fold = (fold * 31 + key * parser.counts.get(key)) % 1000003;
    }
    return [steps, yard.total, value, fold].join(" ");
}

mill(size);
