-- What Lua runs: the program of mill.js, statement by statement. The driver sets `size`; the result is a string.

local seed = 42

local function random(limit)
    seed = seed * 16807 % 2147483647
    return seed % limit
end

local function class(work)
    local methods = { work = work }
    methods.__index = methods
    function methods.put(station, parcel)
        parcel.next = nil
        if station.last == nil then station.first = parcel else station.last.next = parcel end
        station.last = parcel
    end
    function methods.run(station, yard)
        local parcel = station.first
        station.first = parcel.next
        if station.first == nil then station.last = nil end
        station:work(parcel, yard)
    end
    return function(priority) return setmetatable({ priority = priority }, methods) end
end

local Grinder = class(function(station, parcel, yard)
    parcel.weight = parcel.weight * 7 % 1009 + 1
    yard:send(parcel)
end)

local Mixer = class(function(station, parcel, yard)
    local kept = station.kept
    if kept == nil then
        station.kept = parcel
    else
        station.kept = nil
        parcel.weight = (parcel.weight + kept.weight) % 1009
        yard:send(parcel)
        yard:send(kept)
    end
end)

local Scale = class(function(station, parcel, yard)
    yard.total = (yard.total * 31 + parcel.weight) % 1000003
    parcel.trips = parcel.trips - 1
    if parcel.trips > 0 then yard:send(parcel) end
end)

local Yard = {}
Yard.__index = Yard

function Yard:send(parcel)
    parcel.place = (parcel.place + parcel.stride) % #self.stations
    self.stations[parcel.place + 1]:put(parcel)
end

function Yard:run()
    local steps = 0
    while true do
        local best = nil
        for _, station in ipairs(self.stations) do
            if station.first ~= nil and (best == nil or station.priority > best.priority) then best = station end
        end
        if best == nil then return steps end
        best:run(self)
        steps = steps + 1
    end
end

local yard = setmetatable({
    total = 0,
    stations = { Grinder(3), Mixer(6), Scale(1), Grinder(5), Mixer(2), Grinder(7), Mixer(4) },
}, Yard)
for index = 1, size do
    local weight, trips, place = random(1009), 3 + random(5), random(7)
    yard:send({ weight = weight, trips = trips, place = place, stride = 1 + random(6) })
end
local steps = yard:run()

local function write(depth)
    if depth == 0 or random(6) == 0 then return tostring(random(1000)) end
    local left = write(depth - 1)
    local sign = 1 + random(3)
    return "(" .. left .. ("+-*"):sub(sign, sign) .. write(depth - 1) .. ")"
end

local Parser = {}
Parser.__index = Parser

function Parser:expression()
    if self.text:byte(self.position) ~= 40 then return self:number() end
    self.position = self.position + 1
    local left = self:expression()
    local sign = self.text:byte(self.position)
    self.position = self.position + 1
    local right = self:expression()
    self.position = self.position + 1
    if sign == 43 then return (left + right) % 1000003 end
    if sign == 45 then return (left - right + 1000003) % 1000003 end
    return left * right % 1000003
end

function Parser:number()
    local value = 0
    while true do
        local digit = (self.text:byte(self.position) or 0) - 48
        if digit < 0 or digit > 9 then break end
        value = value * 10 + digit
        self.position = self.position + 1
    end
    self.counts[value] = (self.counts[value] or 0) + 1
    return value
end

local value, fold = 0, 0
for index = 0, size - 1, 16 do
    local parser = setmetatable({ text = write(7), position = 1, counts = {} }, Parser)
    value = (value * 31 + parser:expression()) % 1000003
    local keys = {}
    for key in pairs(parser.counts) do keys[#keys + 1] = key end
    table.sort(keys)
    for _, key in ipairs(keys) do fold = (fold * 31 + key * parser.counts[key]) % 1000003 end
end
return table.concat({ steps, yard.total, value, fold }, " ")
