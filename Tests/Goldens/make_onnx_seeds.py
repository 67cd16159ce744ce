"""Seeds of the fuzzer that our own writer does not write: control flow, functions, sparse constants,
recurrent and quantized operators.

    python make_onnx_seeds.py ../../Fuzz/Corpus/onnx

Written for onnx 1.23.2.
"""
import sys

import numpy as np
from onnx import TensorProto as T, helper as h, numpy_helper as nh

out = sys.argv[1]


def save(name, nodes, inits=(), inputs=(("x",[2,3]),), outputs=("y",), functions=(), sparse=(), opset=17, ops=()):
    g=h.make_graph(list(nodes),"g",[h.make_tensor_value_info(n,T.FLOAT,s) for n,s in inputs],[h.make_tensor_value_info(o,T.FLOAT,None) for o in outputs],list(inits),sparse_initializer=list(sparse))
    m=h.make_model(g,opset_imports=[h.make_opsetid("",opset)]+list(ops),ir_version=8,functions=list(functions))
    open(f"{out}/{name}.onnx","wb").write(m.SerializeToString())
def c(name,a): return nh.from_array(np.asarray(a),name)
def body(ins,outs,nodes): return h.make_graph(nodes,"b",[h.make_tensor_value_info(i,T.FLOAT,None) for i in ins],[h.make_tensor_value_info(o,T.FLOAT,None) for o in outs])
save("if",[h.make_node("If",["c"],["y"],then_branch=body([],["r"],[h.make_node("Neg",["x"],["r"])]),else_branch=body([],["r"],[h.make_node("Abs",["x"],["r"])]))],[c("c",np.array(True))])
save("loop",[h.make_node("Loop",["n","","x"],["z","y"],body=body(["i","on","a"],["o","b","b"],[h.make_node("Identity",["on"],["o"]),h.make_node("Add",["a","x"],["b"])]))],[c("n",np.array(3,np.int64))])
save("scan",[h.make_node("Scan",["s","x"],["l","y"],num_scan_inputs=1,body=body(["a","e"],["t","o"],[h.make_node("Add",["a","e"],["t"]),h.make_node("Neg",["t"],["o"])]))],[c("s",np.zeros(3,np.float32))])
f=h.make_function("local","F",["a"],["b"],[h.make_node("LeakyRelu",["a"],["b"],alpha=0.5)],[h.make_opsetid("",17)])
save("function",[h.make_node("F",["x"],["y"],domain="local")],functions=[f],ops=[h.make_opsetid("local",1)])
sp=h.make_sparse_tensor(c("k",np.array([1,2],np.float32)),c("",np.array([1,5],np.int64)),[2,3])
save("sparse",[h.make_node("Add",["x","k"],["y"])],sparse=[sp])
save("lstm",[h.make_node("LSTM",["x","w","r","b"],["","y"],hidden_size=2,direction="bidirectional")],[c("w",np.ones((2,8,3),np.float32)),c("r",np.ones((2,8,2),np.float32)),c("b",np.ones((2,16),np.float32))],inputs=(("x",[4,1,3]),))
save("qlinear",[h.make_node("QuantizeLinear",["x","s","z"],["q"]),h.make_node("QLinearConv",["q","s","z","w","s","z","s","z"],["p"]),h.make_node("DequantizeLinear",["p","s","z"],["y"])],[c("s",np.float32(0.1)),c("z",np.uint8(3)),c("w",np.ones((1,1,2,2),np.uint8))],inputs=(("x",[1,1,4,4]),))
save("lists",[h.make_node("TopK",["x","k"],["v","i"]),h.make_node("GatherElements",["x","i"],["g"],axis=1),h.make_node("Einsum",["g","v"],["e"],equation="ab,cb->ac"),h.make_node("Resize",["e","","","z"],["y"],mode="cubic")],[c("k",np.array([2],np.int64)),c("z",np.array([3,5],np.int64))])
