"""How integrators write the headings and cells of a point table: data, nothing else.

Headings are compared without case, spaces, punctuation and what stands in brackets behind them;
words in cells without case and spaces.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model.profile import ByteOrder, Function, RegisterType

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "key": ("key", "pointkey", "点位标识", "测点标识", "标识", "标识符", "变量名", "tag",
        "tagname"),
    "name": (
        "name", "pointname", "description", "名称", "点位名称", "点名", "点位", "测点", "测点名称",
        "参数", "参数名称", "变量", "变量名称", "信号名称", "寄存器名称", "数据名称", "数据项",
        "描述",
        "内容", "parameter", "signal", "variable", "registername", "中文名称", "中文名", "namezh",
        "chinesename",
    ),
    "name_en": ("nameen", "英文名称", "英文名", "englishname", "英文"),
    "kind": ("kind", "点类型", "测点类型", "点位类型"),
    "unit": ("unit", "units", "单位", "工程单位", "计量单位"),
    "low": ("low", "min", "minimum", "下限", "最小值", "量程下限", "lowlimit", "rangelow"),
    "high": ("high", "max", "maximum", "上限", "最大值", "量程上限", "highlimit", "rangehigh"),
    "range": ("range", "范围", "量程", "取值范围", "数据范围", "数值范围", "测量范围"),
    "decimals": ("decimals", "decimalplaces", "小数位", "小数位数", "小数点", "小数点位数"),
    "states": (
        "states", "state", "enum", "values", "valuetext", "状态", "状态说明", "枚举", "枚举值",
        "取值",
        "取值说明", "状态描述", "值定义", "状态定义",
    ),
    "every": ("every", "pollevery", "轮询倍数"),
    "deadband": ("deadband", "死区", "变化阈值"),
    "keep_every": ("keepevery", "存储周期", "保存周期"),
    "source": ("source", "来源", "出处", "依据"),
    "remark": ("remark", "remarks", "note", "notes", "comment", "备注", "说明", "注释"),
    "function": (
        "function", "functioncode", "fc", "func", "功能码", "读功能码", "功能", "寄存器类型",
        "寄存器区", "区域", "存储区", "registertype", "table", "area",
    ),
    "register": (
        "register", "address", "addr", "reg", "registeraddress", "registernumber", "modbusaddress",
        "offsetaddress", "startaddress", "startingaddress", "地址", "寄存器", "寄存器地址",
        "点位地址",
        "modbus地址", "通讯地址", "起始地址", "寄存器号", "寄存器编号", "偏移地址", "数据地址",
        "点地址",
        "相对地址",
    ),
    "type": (
        "type", "datatype", "format", "dataformat", "类型", "数据类型", "数据格式", "格式",
        "变量类型",
    ),
    "bit": ("bit", "bits", "bitnumber", "bitoffset", "位", "位号", "位地址", "位偏移", "比特位"),
    "width": ("width", "bitwidth", "位宽"),
    "order": (
        "order", "byteorder", "wordorder", "endian", "endianness", "字节序", "字节顺序", "字序",
        "大小端", "解析顺序", "高低位",
    ),
    "count": (
        "count", "length", "len", "quantity", "size", "registers", "numberofregisters", "words",
        "长度", "数量", "寄存器数", "寄存器数量", "寄存器个数", "寄存器长度", "数据长度",
        "个数", "字数",
    ),
    "scale": (
        "scale", "factor", "multiplier", "gain", "scaling", "coefficient", "ratio", "倍率", "系数",
        "比例", "比例系数", "缩放", "缩放系数", "换算系数", "倍数", "乘数", "放大系数",
    ),
    "divisor": ("divisor", "divider", "除数", "缩小倍数"),
    "offset": ("offset", "偏移", "偏移量", "零点", "基数"),
    "absent": (
        "absent", "invalid", "na", "notavailable", "nodata", "无效值", "缺省值", "无效", "空值",
    ),
    "absent_in": ("absentin", "无效值所在位"),
    "while_bit": ("whilebit", "validbit", "有效位"),
    "write": ("write", "writable", "writeable", "可写"),
    "derived": ("derived", "派生", "计算"),
    "number": ("no", "number", "序号", "编号", "index", "#", "item", "行号"),
}  # fmt: skip
"""Field → its headings. ``number`` and what is not here is left aside."""

HEX_HEADING = ("hex", "十六进制", "16进制")
"""In a heading of addresses: every one below is hexadecimal."""
BYTES_HEADING = ("byte", "字节")
"""In a heading of lengths: bytes, not registers."""

FUNCTIONS: Mapping[str, Function] = {
    "coil": Function.COIL, "coils": Function.COIL, "线圈": Function.COIL, "do": Function.COIL,
    "线圈寄存器": Function.COIL, "输出线圈": Function.COIL, "线圈状态": Function.COIL,
    "discrete": Function.DISCRETE, "discreteinput": Function.DISCRETE,
    "discreteinputs": Function.DISCRETE, "离散输入": Function.DISCRETE, "di": Function.DISCRETE,
    "离散量输入": Function.DISCRETE, "输入状态": Function.DISCRETE,
        "离散输入寄存器": Function.DISCRETE,
    "1x": Function.DISCRETE,
    "holding": Function.HOLDING, "holdingregister": Function.HOLDING,
    "holdingregisters": Function.HOLDING, "保持寄存器": Function.HOLDING, "保持": Function.HOLDING,
    "4x": Function.HOLDING, "4区": Function.HOLDING, "hr": Function.HOLDING,
    "input": Function.INPUT, "inputregister": Function.INPUT, "inputregisters": Function.INPUT,
    "输入寄存器": Function.INPUT, "输入": Function.INPUT, "3x": Function.INPUT,
        "3区": Function.INPUT,
    "ir": Function.INPUT,
}  # fmt: skip

_GENERIC = r"(?:整型|整数|整形|数据)?"
TYPES: tuple[tuple[str, RegisterType, bool], ...] = (
    (r"double|float64|real64|lreal|f64|双精度.*|64位浮点.*", RegisterType.FLOAT64, False),
    (r"float|float32|real|real32|single|f32|ieee754|单精度.*|浮点.*|(?:32位|4字节)浮点.*",
     RegisterType.FLOAT32, False),
    (r"uint64|u64|ulint|qword|unsigned64|无符号64位?.*|64位无符号.*", RegisterType.UINT64, False),
    (r"int64|s64|i64|lint|sint64|signed64|有符号64位?.*|64位(?:有符号)?整.*|64位有符号.*",
     RegisterType.INT64, False),
    (r"uint32|u32|udint|dword|ulong|unsignedlong|unsignedint32|unsigned32|无符号(?:32位|长).*|"
     r"32位无符号.*|双字", RegisterType.UINT32, False),
    (r"int32|s32|i32|dint|long|sint32|signedlong|signed32|有符号(?:32位|长).*|"
     r"32位(?:有符号)?整.*|32位有符号.*|长整.*", RegisterType.INT32, False),
    (r"bcd32|bcd8", RegisterType.BCD32, False),
    (r"bcd16|bcd4|bcd|bcd码", RegisterType.BCD16, False),
    (r"uint16|u16|ushort|word|unsignedshort|unsignedint16|unsigned16|无符号(?:16位|短).*|"
     r"16位无符号.*|字", RegisterType.UINT16, False),
    (r"uint|unsigned|unsignedint|unsignedinteger|无符号" + _GENERIC, RegisterType.UINT16, True),
    (r"int16|s16|i16|short|sint16|signedshort|signed16|有符号(?:16位|短).*|"
     r"16位(?:有符号)?整.*|16位有符号.*|短整.*", RegisterType.INT16, False),
    (r"int|integer|signed|signedint|signedinteger|有符号" + _GENERIC + "|整型|整数|整形",
     RegisterType.INT16, True),
    (r"bit|bool|boolean|布尔[型量]?|位|开关量|数字量|bit[0-9]+", RegisterType.BIT, False),
    (r"ascii|string|char|text|字符串?|字符型|ascii码", RegisterType.ASCII, False),
)  # fmt: skip
"""Pattern of the whole word, the type, and whether the number of registers may widen it."""

ORDERS: tuple[tuple[str, ByteOrder], ...] = (
    (r"abcd|big|bigendian|大端|高位在前|高字在前|高字节在前|1234|msb|msw", ByteOrder.ABCD),
    (r"cdab|swap|swapped|wordswap|inverse|inversed|低字在前|3412|lsw", ByteOrder.CDAB),
    (r"badc|byteswap|2143", ByteOrder.BADC),
    (r"dcba|little|littleendian|小端|低位在前|低字节在前|4321|lsb", ByteOrder.DCBA),
)

KINDS: Mapping[str, str] = {
    "number": "number", "数值": "number", "模拟量": "number", "ai": "number", "analog": "number",
    "flag": "flag", "开关量": "flag", "布尔": "flag", "di": "flag", "digital": "flag",
    "state": "state", "状态": "state", "状态量": "state", "枚举": "state", "enum": "state",
    "text": "text", "文本": "text", "字符串": "text", "string": "text",
}  # fmt: skip

YES = ("yes", "y", "true", "1", "是", "可写", "√", "✓", "w", "rw", "r/w", "读写")
NO = ("no", "n", "false", "0", "否", "", "r", "ro", "只读", "×", "-")

UNITS: Mapping[str, str] = {
    "°C": "℃", "ºC": "℃", "degC": "℃", "摄氏度": "℃", "伏": "V", "安": "A", "千瓦": "kW", "瓦": "W",
    "赫兹": "Hz", "千瓦时": "kWh", "KWh": "kWh", "KWH": "kWh", "kwh": "kWh", "KW": "kW", "kw": "kW",
    "HZ": "Hz", "hz": "Hz", "小时": "h", "％": "%",
}  # fmt: skip
"""Spellings that are met often → the one that the shipped profiles use."""
NO_UNIT = ("", "-", "--", "/", "\\", "无", "none")
