print("dfkit")
